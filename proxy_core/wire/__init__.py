"""What any HTTP exchange is made of: server-sent events and headers. Pure."""
