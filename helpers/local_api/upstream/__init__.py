"""Somebody else answers: OpenAI with the reader's own key, or any compatible server, behind the
same local address.

Read in this order: ../where.py (who, with which key, up to which price), forward (one request there
and back), spending (the ceiling), local_models (what another server calls otherwise), realtime
(sessions, passed on both ways). In record mode, recorder saves each exchange, session_tape each
session, and ../scrub.py takes out of them what is nobody's business; rerecord runs a notebook for
that. The local API loads none of it in the default mode.
"""
