"""What the notebooks of 5_sdks share: five clients run side by side, and Day 9 names found in a
folder of code.
"""
