PROG_SRC_mrg-dns  := $(wildcard appliances/dns/*.c appliances/common/*.c)
PROG_ORDER_mrg-dns := appliances/dns/order.list
PROG_LIBS_mrg-dns := mrg-dns mrg-http mrg-tcpip mrg-rt-tap mrg-rt-unix mrg
PROGRAMS += $(if $(PROG_SRC_mrg-dns),mrg-dns)

# Images for any data read zone files; the one of `make image` has its zone in one piece.
VM_IMAGES += mrg-dns
VM_COMMON_mrg-dns = $(addprefix appliances/dns/vm/,main.c system.c) $(addprefix appliances/dns/,answering.c answers.c limits.c said.c) appliances/common/args.c $(VM_COMMON_C)
VM_SRC_mrg-dns = $(addprefix appliances/dns/vm/,zones.c keeper.c kept.c) appliances/common/conf.c $(VM_COMMON_mrg-dns) \
	$(addprefix appliances/dns/,catalogs.c fetch.c others.c outward.c outward_own.c read.c receiving.c secondaries.c sending.c \
	settings_use.c tellings.c updating.c version.c zone_keeper.c zone_option.c zone_table.c)
VM_LIBS_mrg-dns := mrg-dns mrg-archive mrg-tcpip mrg
IMAGE_SRC_mrg-dns  = appliances/dns/vm/zones_stored.c $(VM_COMMON_mrg-dns)
IMAGE_LIBS_mrg-dns := mrg-dns-terse mrg-tcpip mrg
IMAGE_DATA_mrg-dns = $(IMAGE_DIR)/mrg-dns.zone
ifdef IMAGE
$(IMAGE_DIR)/mrg-dns.zone: $B/bin/mrg-dns FORCE
	$(call say,ZONE,$(ZONE))
	$Qmkdir -p $(@D) && $< --zone '$(ZONE)' --store $@
endif
