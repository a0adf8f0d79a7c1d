"""Models: those on this machine, the default one, and any of the Hugging Face Hub."""
