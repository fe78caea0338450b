package admin

import (
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"

	"github.com/iliumdb/ilium/wire/http"
)

// printStatus prints as nodetool status does.
func printStatus(out io.Writer, s *http.Status) {
	names := addressesOf(s.Nodes)
	owns := "Owns (effective)"
	if s.Note != "" {
		owns = "Owns"
	}
	for _, group := range byDatacenter(s.Nodes) {
		title := "Datacenter: " + group[0].Datacenter
		fmt.Fprintf(out, "%s\n%s\n", title, strings.Repeat("=", len([]rune(title))))
		fmt.Fprint(out, "Status=Up/Down\n|/ State=Normal/Leaving/Joining/Moving\n")
		rows := [][]string{{"--", "Address", "Load", "Tokens", owns, "Host ID", "Rack"}}
		for _, n := range group {
			rows = append(rows, []string{letters(n), names[n.ID], sizeOrUnknown(n.Load), strconv.Itoa(n.Tokens), percent(n.Owns, 1), n.ID, n.Rack})
		}
		table(out, rows)
		fmt.Fprintln(out)
	}
	if s.Note != "" {
		fmt.Fprintf(out, "Note: %s\n", s.Note)
	}
}

// letters returns the state of a node as nodetool status shows it.
func letters(n http.Node) string {
	up := "D"
	if n.Up {
		up = "U"
	}
	if n.State == "" {
		return up + "?"
	}
	return up + n.State[:1]
}

// addressesOf returns what nodes are called by: their IP addresses, with the ports if some share one.
func addressesOf(nodes []http.Node) map[string]string {
	seen := map[string]bool{}
	out := map[string]string{}
	for _, n := range nodes {
		host := hostOf(n.Address)
		if seen[host] {
			return withPorts(nodes)
		}
		seen[host] = true
		out[n.ID] = host
	}
	return out
}

func withPorts(nodes []http.Node) map[string]string {
	out := map[string]string{}
	for _, n := range nodes {
		out[n.ID] = n.Address
	}
	return out
}

// hostOf returns an address without its port.
func hostOf(address string) string {
	if a, err := netip.ParseAddrPort(address); err == nil {
		return a.Addr().String()
	}
	return address
}

// byDatacenter cuts nodes, which are in order of their datacenters, into those of each.
func byDatacenter(nodes []http.Node) [][]http.Node {
	var out [][]http.Node
	for i, n := range nodes {
		if i == 0 || n.Datacenter != nodes[i-1].Datacenter {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], n)
	}
	return out
}

// printRing prints as nodetool ring does.
func printRing(out io.Writer, r *http.Ring) {
	names := addressesOf(r.Nodes)
	for _, group := range byDatacenter(r.Nodes) {
		nodes := map[string]http.Node{}
		for _, n := range group {
			nodes[n.ID] = n
		}
		title := "Datacenter: " + group[0].Datacenter
		fmt.Fprintf(out, "%s\n%s\n", title, strings.Repeat("=", len([]rune(title))))
		rows := [][]string{{"Address", "Rack", "Status", "State", "Load", "Owns", "Token"}}
		last := ""
		for _, t := range r.Ring {
			n, here := nodes[t.Node]
			if !here {
				continue
			}
			last = t.Token
			status := "Down"
			if n.Up {
				status = "Up"
			}
			rows = append(rows, []string{names[n.ID], n.Rack, status, titled(n.State), sizeOrUnknown(n.Load), percent(n.Owns, 2), t.Token})
		}
		if len(rows) > 2 { // the ring begins where it ends
			rows = append(rows[:1], append([][]string{{"", "", "", "", "", "", last}}, rows[1:]...)...)
		}
		table(out, rows)
		fmt.Fprintln(out)
	}
	if r.Note != "" {
		fmt.Fprintf(out, "Note: %s\n", r.Note)
	}
}

// titled returns NORMAL as Normal.
func titled(word string) string {
	if word == "" {
		return "?"
	}
	return word[:1] + strings.ToLower(word[1:])
}

// printInfo prints as nodetool info does.
func printInfo(out io.Writer, i *http.Info, tokens bool) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(out, "%-23s: %s\n", name, fmt.Sprintf(format, args...))
	}
	line("ID", "%s", i.ID)
	line("Cluster", "%s", i.Cluster)
	line("Version", "%s", i.Version)
	line("Address", "%s", i.Address)
	line("Gossip active", "%t", i.InCluster)
	line("Native Transport active", "%t", i.NativeActive)
	line("Native address", "%s", i.Native)
	line("State", "%s", i.State)
	line("Load", "%s", sizeOrUnknown(i.Load))
	line("Generation No", "%d", i.Generation)
	line("Uptime (seconds)", "%d", i.UptimeSeconds)
	line("Go Memory (MB)", "%.2f / %.2f", float64(i.MemoryBytes)/(1<<20), float64(i.MemoryBudget)/(1<<20))
	line("Client connections", "%d", i.Clients)
	line("Data Center", "%s", i.Datacenter)
	line("Rack", "%s", i.Rack)
	if m := i.Metadata; len(m.Voters) > 0 {
		line("Metadata log leader", "%s", orUnknown(m.Leader))
		line("Metadata log voters", "%s", strings.Join(m.Voters, ", "))
	}
	if len(i.TokenList) > 1 && !tokens {
		line("Token", "(invoke with -T/--tokens to see all %d tokens)", len(i.TokenList))
		return
	}
	for _, t := range i.TokenList {
		line("Token", "%s", t)
	}
}
