package config

import (
	"slices"
	"strings"
	"testing"
)

func TestClusterValues(t *testing.T) {
	check := problemChecker(t)
	const alone = " cannot be combined with listen_address: none (default): without listen_address the node is alone"
	check("phi_convict_threshold: 4.9", "c.yaml:1: phi_convict_threshold: 4.9 is out of range: allowed is 5 to 16")
	check("phi_convict_threshold: 17", "c.yaml:1: phi_convict_threshold: 17 is out of range: allowed is 5 to 16")
	check("phi_convict_threshold: .inf", `c.yaml:1: phi_convict_threshold: ".inf" is not a number such as 8 or 0.5`)
	check("phi_convict_threshold: 1e1", `c.yaml:1: phi_convict_threshold: "1e1" is not a number such as 8 or 0.5`)
	check("dynamic_snitch_badness_threshold: NaN", `c.yaml:1: dynamic_snitch_badness_threshold: "NaN" is not a number such as 8 or 0.5`)
	check("dynamic_snitch_badness_threshold: 1"+strings.Repeat("0", 400),
		`c.yaml:1: dynamic_snitch_badness_threshold: "1`+strings.Repeat("0", 63)+`"... is too large`)
	check("num_tokens: 1537", "c.yaml:1: num_tokens: 1537 is out of range: allowed is 1 to 1536")
	check("internode_compression: lz4", `c.yaml:1: internode_compression: "lz4" is not one of all, dc, none`)
	check("hinted_handoff_throttle: 1024KiB", `c.yaml:1: hinted_handoff_throttle: "1024KiB" is not a rate: `+
		"write a whole number and one of the units B/s, KiB/s or MiB/s, as in 64MiB/s")

	check("listen_address: 0.0.0.0", `c.yaml:1: listen_address: "0.0.0.0" stands for every address of the machine: name one`)
	check("listen_address: '::'", `c.yaml:1: listen_address: "::" stands for every address of the machine: name one`)
	check("listen_address: a b", `c.yaml:1: listen_address: "a b" is not the name or IP address of a machine`)
	check("listen_address: 10.0.0.1:7000", `c.yaml:1: listen_address: "10.0.0.1:7000" is not the name or IP address of a machine`)
	check("seeds: [a, '']", "c.yaml:1: seeds: item 2: must not be empty")
	check("seeds: a:b", `c.yaml:1: seeds: item 1: "a:b" has no port from 1 to 65535 after its colon`)
	check("seeds: a:70000", `c.yaml:1: seeds: item 1: "a:70000" has no port from 1 to 65535 after its colon`)
	check("seeds: 'a,b:1:2'", `c.yaml:1: seeds: item 2: "b:1:2" is not host or host:port`)
	check("seeds: ':7000'", "c.yaml:1: seeds: item 1: must not be empty")
	check("seeds: [a, [b]]", "c.yaml:1: seeds: item 2: is a list: write one value")
	check("seeds: {a: b}", "c.yaml:1: seeds: is a map: write one value")
	check("seeds: &s [*s]", "c.yaml:1: seeds: item 1: is a list: write one value")

	check("broadcast_address: 10.0.0.1", "c.yaml:1: broadcast_address: 10.0.0.1"+alone)
	check("broadcast_rpc_address: db.example", `c.yaml:1: broadcast_rpc_address: "db.example" is not an IP address`)
	check("seeds: [a, b]", "c.yaml:1: seeds: a,b"+alone)
	check("gossip_encryption_key_file: k", "c.yaml:1: gossip_encryption_key_file: k"+alone)
	check("listen_address: a\nreplace_node: b", "c.yaml:2: replace_node: b cannot be combined with seeds: none (default): "+
		"the node needs seeds to find the cluster in which it replaces another")
	check("listen_address: a\nrpc_address: 0.0.0.0", "c.yaml:2: rpc_address: 0.0.0.0 cannot be combined with broadcast_rpc_address: none (default): "+
		"a node that takes clients at all addresses must say which of them clients of a cluster are to use")
	check("hinted_handoff_enabled: false\nhints_directory: h", "c.yaml:2: hints_directory: h cannot be combined with "+
		"hinted_handoff_enabled: false (c.yaml:1): no hints are kept")
	check("listen_address: a\nserver_encryption_enabled: true",
		"c.yaml:2: server_encryption_enabled: true cannot be combined with server_encryption_certificate: none (default): TLS needs a certificate, and nothing else does",
		"c.yaml:2: server_encryption_enabled: true cannot be combined with server_encryption_key: none (default): TLS needs a private key, and nothing else does",
		"c.yaml:2: server_encryption_enabled: true cannot be combined with server_encryption_truststore: none (default): "+
			"TLS needs a truststore to know other nodes by, and nothing else does")
	check("server_encryption_require_client_auth: true", "c.yaml:1: server_encryption_require_client_auth: true cannot be combined with "+
		"server_encryption_enabled: false (default): nodes show certificates with TLS only")
}

func TestSettingsOfACluster(t *testing.T) {
	loaded, err := loadText("listen_address: 10.0.0.1\nrpc_address: 0.0.0.0\nbroadcast_rpc_address: 203.0.113.9\nphi_convict_threshold: 12.50\n"+
		"seeds:\n- a\n- b:7001\nserver_encryption_enabled: true\nserver_encryption_key: k\nserver_encryption_certificate: c\nserver_encryption_truststore: t\n",
		[]string{"ILIUM_REPLACE_NODE=123e4567-e89b-12d3-a456-426614174000"}, []string{"num_tokens=4", "hinted_handoff_throttle=0"})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.ListenAddress, want.RPCAddress, want.BroadcastRPCAddress = "10.0.0.1", "0.0.0.0", "203.0.113.9"
	want.PhiConvictThreshold, want.Seeds, want.NumTokens, want.HintedHandoffThrottle = 12.5, "a,b:7001", 4, 0
	want.ServerEncryptionEnabled, want.ServerEncryptionKey, want.ServerEncryptionCertificate, want.ServerEncryptionTruststore = true, "k", "c", "t"
	want.ReplaceNode = "123e4567-e89b-12d3-a456-426614174000"
	if loaded.Config != want {
		t.Errorf("got %+v, want %+v", loaded.Config, want)
	}
}

func TestHostPorts(t *testing.T) {
	for text, want := range map[Addresses][]string{
		"":                                  nil,
		"a":                                 {"a:7000"},
		"a, b:1,::1,[::1]:2,10.0.0.1:65535": {"a:7000", "b:1", "[::1]:7000", "[::1]:2", "10.0.0.1:65535"},
	} {
		parsed, err := parseAddresses(string(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if got := parsed.HostPorts(7000); !slices.Equal(got, want) || !slices.Equal(text.HostPorts(7000), want) {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
	}
	for _, text := range []string{"a", "a,b", "a:1 ,b"} {
		if got, err := loadText("listen_address: x\nseeds: "+text, nil, nil); err != nil {
			t.Errorf("%s: %v", text, err)
		} else if want := Addresses(strings.ReplaceAll(text, " ", "")); got.Config.Seeds != want {
			t.Errorf("%s gives %s", text, got.Config.Seeds)
		}
	}
	if got, err := loadText("seeds: []", nil, nil); err != nil || got.Config != Default() {
		t.Errorf("no seeds: %v", err)
	}
}
