"""The live page: a network that a person plays with, and sees who stops what, with which cause, by which clause."""
