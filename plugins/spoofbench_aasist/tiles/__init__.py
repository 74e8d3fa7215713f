"""A residual block in training on a processor: the same output and gradients, tile by tile.

Autograd writes every tensor of a block, 66 MB of each an utterance in the first, and reads them
all again. Here a block keeps its input, which of three frames was the largest, and what its first
convolution gives, unless there is one channel. All else is computed anew, in tiles of time that
stay in the processor's cache. Batch norm needs its sums over the batch before it gives its first
value: hence two passes, forward and backward.

`autograd` is what a model calls, `block` what blocks have in common, `many_channels` and
`one_channel` are how they differ.
"""
