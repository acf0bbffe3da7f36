"""WHICH PROGRAM? Networks simplified, their states made discrete, the maps between them named."""
