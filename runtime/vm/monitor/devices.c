/*
 * The devices that were found, whatever they are behind: opened for the application, or asked for entropy.
 */
#include "vm/monitor/inside.h"

void vm_device_skipped(const char *where, uint64_t at, const char *why)
{
	vm_say("level=warn event=device_skipped ");
	vm_say(where);
	vm_say_hex(at);
	vm_say(" why=");
	vm_say(why);
	vm_say("\n");
}

void vm_devices_look(const struct vm_place *p, struct vm_place places[VM_PLACES_MAX], size_t *found)
{
	const char *why;
	const bool present = vm_mmio_present(p, &why);
	if (present && *found == VM_PLACES_MAX)
		why = "device-count";
	else if (present)
		places[(*found)++] = *p;
	if (why != NULL)
		vm_device_skipped("at=", p->registers.at, why);
}

void vm_devices_open(struct vm_place *places, size_t count, struct vm_boot *boot)
{
	for (size_t i = 0; i < count; i++) {
		struct vm_device *const d = &boot->device[boot->device_count];
		const char *const why = vm_device_open(
			&places[i], vm_mmio_kind(&places[i]) == VM_KIND_NET ? vm_features_of_net : 0, d);
		if (why != NULL) {
			vm_device_skipped("at=", places[i].registers.at, why);
			continue;
		}
		struct vm_port *const p = &vm_machine.port[boot->device_count++];
		p->place = places[i];
		p->queue_count = d->queue_count;
		memcpy(p->queue_size_max, d->queue_size_max, sizeof p->queue_size_max);
	}
	vm_machine.device_count = boot->device_count;
}

void vm_devices_chance(struct vm_place *places, size_t count, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < count; i++) {
		if (vm_mmio_kind(&places[i]) != VM_KIND_ENTROPY)
			continue;
		const char *const why = vm_chance_take(&places[i], out, len);
		if (why == NULL)
			return;
		vm_device_skipped("at=", places[i].registers.at, why);
	}
	vm_boot_fails("no-entropy");
}
