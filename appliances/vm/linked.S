/*
 * What `make image` links into an image: the file MRG_DATA (a zone, an archive) and the words MRG_WORDS.
 */
	.section .rodata.vm_linked, "a"
	.global vm_linked, vm_linked_end, vm_linked_line, vm_linked_line_end
#ifdef MRG_DATA
	.balign 16
vm_linked:
	.incbin MRG_DATA
vm_linked_end:
#endif
vm_linked_line:
	.ascii MRG_WORDS
vm_linked_line_end:
