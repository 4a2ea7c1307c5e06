"""matplotlib figures as interactive ones, in Plotly's JSON schema (https://plotly.com/javascript/reference/).

They are read as the program made them; nothing is drawn, and matplotlib is never imported here.
"""
