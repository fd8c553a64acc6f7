registerProcessor("collector", class extends AudioWorkletProcessor {
  samples = [];
  process([[channel]]) {
    if (channel) this.samples.push(...channel);
    if (this.samples.length >= 960) this.port.postMessage(this.samples.splice(0, 960));
    return true;
  }
});
