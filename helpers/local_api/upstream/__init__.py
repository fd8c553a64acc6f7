"""Somebody else answers: OpenAI with the reader's own key, or any compatible server, behind the
same local address.

Read in this order: ../where.py (who, with which key, up to which price), forward (one request there
and back), spending (the ceiling), local_models (what another server calls otherwise). In record
mode, recorder saves each exchange and ../scrub.py takes out of it what is nobody's business.
Nothing here is loaded in the default mode.
"""
