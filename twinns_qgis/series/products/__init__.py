"""What a product of one acquisition is: its bands and masks, what their values mean, and which products are used."""
