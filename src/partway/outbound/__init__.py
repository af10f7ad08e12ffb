"""Connections this server makes to others, on somebody's word: webhooks, and sources by URL.

Whoever may name a URL could else make the server ask its own machine or network for them (SSRF). ``addresses`` says
which addresses are public, ``guarded`` connects to no others. Everything that goes out goes through here.
"""
