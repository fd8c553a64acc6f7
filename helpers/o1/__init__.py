"""What the notebooks of 1_o1 share: forms reviewed, answers graded, decoding constrained, pictures
shown.
"""
