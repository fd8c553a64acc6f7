"""The static site, which tests/tools/make_site.py builds: what a stored output becomes (`outputs`),
and the pages' frame (`page.html`, `site.css`, `site.js`).
"""
