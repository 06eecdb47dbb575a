"""One running instance and how others talk to it: who owns the data folder, the routes it answers, the client."""
