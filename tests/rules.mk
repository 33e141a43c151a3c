# Tests are found by name; adding one touches no list.
#   tests/**/test_*.c   a program (Check, or anything whose last line is "N passed, N failed"); run plain and with sanitizers
#   tests/**/test_*.py, run_*.py  a script whose last line is "N passed, N failed"; those under tests/appliances also run against the
#                       sanitized server, but for test_vm.py and test_container.py (images have no sanitizers), and those of servers once more against images
#                       (tests/appliances/images.py). MRG_BUILD names the folder that holds bin/ and lib/, MRG_SCALE what servers are.
#   tests/runtime/vm/guest/*.c  applications that tests start in a virtual machine
#   other .c files      helpers, in one archive that every test program may draw on
TEST_C        := $(sort $(shell find tests -name 'test_*.c' 2>/dev/null))
TEST_HELPER_C := $(sort $(shell find tests -name '*.c' ! -name 'test_*.c' ! -path 'tests/coverage/*' ! -path 'tests/gen/*' ! -path 'tests/install/*' ! -path 'tests/runtime/vm/guest/*' 2>/dev/null))
TEST_SCRIPTS  := $(sort $(shell find tests -name 'test_*.py' -o -name 'run_*.py' 2>/dev/null))
# Images that tests start in a virtual machine: an application each.
VM_IMAGES += $(patsubst tests/runtime/vm/guest/%.c,%,$(wildcard tests/runtime/vm/guest/*.c))
$(foreach g,$(wildcard tests/runtime/vm/guest/*.c),$(eval VM_SRC_$(basename $(notdir $g)) := $g))
TEST_BLACK_BOX := $(filter-out %/test_vm.py %/test_container.py,$(filter tests/appliances/%,$(TEST_SCRIPTS)))
TEST_OF_IMAGES := $(filter-out %/test_vm.py %/test_sandbox.py tests/appliances/dns/test_zones.py,$(filter tests/appliances/dns/% tests/appliances/http/%,$(TEST_SCRIPTS)))
TEST_PROGRAMS := $(TEST_C:%.c=$B/%)
TEST_LIBS     := $B/lib/libtests.a $(LIBS:%=$B/lib/lib%.a)
CHECK_LIBS     = $(shell $(PKG_CONFIG) --libs check)

$B/lib/libtests.a: $(TEST_HELPER_C:%.c=$B/obj/%.o) $(VM_PORTABLE_C:%.c=$B/obj/%.o)

# What a program is linked with, in the order in which names are looked for: helpers may stand in for parts of the libraries. The tests
# of IP have stand-ins of what is above it in their kit, and must not get those of IP itself that the tests of other parts have.
TEST_LINK = $(TEST_LIBS)
$B/tests/protocols/tcpip/test_ip_%: TEST_LINK = $B/obj/tests/protocols/tcpip/ip_kit.o $(LIBS:%=$B/lib/lib%.a) $B/lib/libtests.a

# It has what virtual machines have beside what processes have.
$B/tests/runtime/test_digest: CHECK_LIBS += -lbearssl

$B/tests/%: $B/obj/tests/%.o $(TEST_LIBS)
	$(call say,LD,$@)
	$Qmkdir -p $(@D) && $(CC) $(CFLAGS) $(SANFLAGS) $(LDFLAGS) -o $@ $< -Wl,--start-group $(TEST_LINK) -Wl,--end-group $(CHECK_LIBS) $(PKG_LIBS)
