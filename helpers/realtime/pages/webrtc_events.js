export async function connect(api, secret, sound, player) {
  const peer = new RTCPeerConnection();
  peer.ontrack = ({streams}) => { player.srcObject = streams[0]; };
  peer.addTrack(sound.getAudioTracks()[0], sound);
  peer.events = peer.createDataChannel("oai-events");
  const offer = await peer.createOffer();
  await peer.setLocalDescription(offer);
  const headers = {Authorization: `Bearer ${secret}`, "Content-Type": "application/sdp"};
  const reply = await fetch(`${api}/realtime/calls`, {method: "POST", headers, body: offer.sdp});
  if (!reply.ok) throw new Error((await reply.json()).error.message);
  await peer.setRemoteDescription({type: "answer", sdp: await reply.text()});
  return peer;
}
