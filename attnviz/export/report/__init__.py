"""A report of what a model's heads do, in one file: what it says (document), in what words, and how it is written."""
