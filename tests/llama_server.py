"""llama.cpp's own server, as the package xllamacpp has it in its wheel: `python -m
tests.llama_server FILE.gguf`.

Prints its address and serves until its standard input is closed. Everything that answers is
llama.cpp's C++.
"""

import sys

import xllamacpp

parameters = xllamacpp.CommonParams()
parameters.model.path = sys.argv[1]
parameters.hostnames, parameters.port = ["127.0.0.1"], 0
parameters.n_ctx, parameters.n_parallel, parameters.n_predict = (
    32768,
    1,
    400,
)  # an answer without a limit of its own ends all the same
# one thread: with more, each token waits for the slowest, on a busy machine a hundred times as long
parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
parameters.sampling.seed = 1
parameters.warmup = False
server = xllamacpp.Server(parameters)
print(server.listening_address, flush=True)
sys.stdin.read()
