"""Talking to cameras over VAPIX, the vendor's HTTP interface."""
