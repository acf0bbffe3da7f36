"""What the command line needs: the demo, the loop behind train and align, run folders, output."""
