package coordinator

import (
	"net/netip"
	"testing"

	"github.com/iliumdb/ilium/coordinator/consistency"
)

func TestMessages(t *testing.T) {
	check := func(err error, want string) {
		t.Helper()
		if err.Error() != want {
			t.Errorf("%T: %q, want %q", err, err, want)
		}
	}
	first, second, third := netip.MustParseAddr("10.0.0.9"), netip.MustParseAddr("10.0.0.10"), netip.MustParseAddr("::1")
	check(&UnavailableError{Level: consistency.Quorum}, "Cannot achieve consistency level QUORUM")
	check(&UnavailableError{Level: consistency.EachQuorum, Datacenter: "b"}, "Cannot achieve consistency level EACH_QUORUM in DC b")
	check(&WriteTimeoutError{Received: 1}, "Operation timed out - received only 1 responses.")
	check(&ReadTimeoutError{Received: 2}, "Operation timed out - received only 2 responses.")
	check(&WriteFailureError{Failures: map[netip.Addr]uint16{first: 0}},
		"Operation failed - received 0 responses and 1 failures: UNKNOWN from /10.0.0.9")
	check(&ReadFailureError{Received: 1, Failures: map[netip.Addr]uint16{third: 99, second: 3, first: 1}},
		"Operation failed - received 1 responses and 3 failures: "+
			"READ_TOO_MANY_TOMBSTONES from /10.0.0.9, INCOMPATIBLE_SCHEMA from /10.0.0.10, UNKNOWN from /::1")
}
