"""What the notebooks of 2_realtime share: turns, calls without a browser, pages in one, transports
measured, the lawn reindeer.
"""
