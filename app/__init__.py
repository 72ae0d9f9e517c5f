"""Pesisir: captive portal and hotspot authentication server."""
