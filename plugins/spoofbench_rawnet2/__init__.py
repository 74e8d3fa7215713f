"""RawNet2: convolutions on the waveform, and a recurrent layer over what they leave."""
