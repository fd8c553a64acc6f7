"""What answers: a real HTTP server on 127.0.0.1 that speaks OpenAI's API from recordings.

Read in this order: canonical (when are two requests the same?), recordings (the files) with scrub
(what is kept out of them), slots (which parts may vary) with form_lines and facts/ground_truth
(what answers are computed from), shaping (limits and streams) and sse (events), checks and
request_shapes (what no request may be), pictures, facts/refusals and facts/schemas (what a model
does not accept), off_the_map (nothing answers), answer (what an answer is), envelopes (OpenAI's
shapes), answers (the order of all these), ready (what never changes), door (who may come in),
ledger and books (what was asked), tasks (what goes on beside), state (all these together), server
(the socket), pages (what a browser may have without a key), where and upstream (somebody else
answers). child starts all this from a kernel; catalogue shows the recordings to people.
"""
