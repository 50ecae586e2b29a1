"""The camera's package format (.eap): what make_eap.py writes and check_eap.py verifies."""
