"""Upload dialects: header text <-> ledger address, one file each, shared by server and client. Pure."""
