"""Models on this machine, and how to get the default one."""
