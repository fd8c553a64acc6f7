"""Ears and a mouth: two small models in a process of their own, which all sessions and the two
endpoints of /v1/audio share. Optional: `start.py lab --voice` installs them.

    ears.py     sound -> words      } in the child process alone, which __main__.py runs
    mouth.py    words -> sound      }
    process.py  the child, and how the local API asks it
    listening.py  what is heard in a sound: the clip that it is, or the words in it
"""
