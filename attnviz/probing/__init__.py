"""What each head of a model does, measured over a corpus: which sentences, which measures, what counts as a role."""
