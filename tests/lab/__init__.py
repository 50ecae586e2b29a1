"""The laboratory of the end-to-end tests: real servers, a proxy with faults, the real program."""
