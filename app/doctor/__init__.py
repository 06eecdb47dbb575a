"""What may be wrong around the proxy: probes that end in pass, warn or fail, each with its remedy.

ground = survey(home)
findings = examine(ground)
"""
