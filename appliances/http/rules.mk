PROG_SRC_mrg-http  := $(wildcard appliances/http/*.c appliances/common/*.c)
PROG_LIBS_mrg-http := mrg-http mrg-archive mrg-tcpip mrg-rt-tap mrg-rt-unix mrg
PROGRAMS += $(if $(PROG_SRC_mrg-http),mrg-http)

VM_IMAGES += mrg-http
VM_SRC_mrg-http = $(wildcard appliances/http/vm/*.c) $(addprefix appliances/http/,access.c figures.c rules.c) \
	$(addprefix appliances/common/,args.c lines.c page.c) $(VM_COMMON_C)
VM_LIBS_mrg-http := mrg-http mrg-archive mrg-tcpip mrg
IMAGE_DATA_mrg-http = $(IMAGE_DIR)/mrg-http.archive
ifdef IMAGE
$(IMAGE_DIR)/mrg-http.archive: $B/bin/mrg-pack $(if $(filter $(SITE),$(ROOT)),$(SITE)/made) FORCE
	$(call say,PACK,$(ROOT))
	$Qmkdir -p $(@D) && $< '$(ROOT)' $@
endif
