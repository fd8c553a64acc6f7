"""What answers: a real HTTP server on 127.0.0.1 that speaks OpenAI's API from recordings.

Read in this order: canonical (when are two requests the same?), recordings (the files), slots (which
parts may vary) with ground_truth and form_lines (what answers are computed from), shaping (limits and
streams), refusals, schemas and pictures (what a model does not accept), off_the_map (nothing answers),
answers (the order of all these), server (the socket), pages (what a browser may have without
a key), upstream (somebody else answers). catalogue shows the recordings to people.
"""
