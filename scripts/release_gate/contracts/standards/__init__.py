"""How standards write contracts: the Open Data Contract Standard and pandera, with what our policy adds to them."""
