"""Models made: pretrained, post-trained under watch, examined and placed."""
