package admin

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/iliumdb/ilium/wire/http"
)

// printGossip prints as nodetool gossipinfo does: name, version and value.
func printGossip(out io.Writer, nodes []http.GossipNode) {
	if len(nodes) == 0 {
		fmt.Fprintln(out, "The node is alone and does not gossip.")
	}
	for _, n := range nodes {
		phi := "?"
		if n.Phi != nil {
			phi = strconv.FormatFloat(*n.Phi, 'f', 2, 64)
		}
		fmt.Fprintf(out, "/%s\n  generation:%d\n  heartbeat:%d\n", n.Address, n.Generation, n.Heartbeat)
		for _, name := range slices.Sorted(maps.Keys(n.Values)) {
			v := n.Values[name]
			fmt.Fprintf(out, "  %s:%d:%s\n", strings.ToUpper(name), v.Version, v.Value)
		}
		fmt.Fprintf(out, "  HOST_ID:%s\n  up:%t\n  phi:%s\n", n.ID, n.Up, phi)
	}
}

// printCluster prints as nodetool describecluster does.
func printCluster(out io.Writer, c *http.Cluster) {
	fmt.Fprintf(out, "Cluster Information:\n\tName: %s\n\tPartitioner: %s\n\tSchema versions:\n", c.Name, c.Partitioner)
	for _, v := range c.Schemas {
		fmt.Fprintf(out, "\t\t%s: [%s]\n", v.Version, strings.Join(v.Nodes, ", "))
	}
	fmt.Fprintf(out, "\nStats for all nodes:\n\tLive: %d\n\tJoining: %d\n\tMoving: 0\n\tLeaving: %d\n\tUnreachable: %d\n", c.Live, c.Joining, c.Leaving, c.Unreachable)
	if m := c.Metadata; len(m.Voters) > 0 {
		fmt.Fprintf(out, "\nMetadata log:\n\tLeader: %s\n\tVoters: %s\n\tApplied: %d\n", orUnknown(m.Leader), strings.Join(m.Voters, ", "), m.Applied)
	}
	fmt.Fprint(out, "\nData Centers:\n")
	for _, d := range c.Datacenters {
		fmt.Fprintf(out, "\t%s #Nodes: %d #Down: %d\n", d.Name, d.Nodes, d.Down)
	}
	fmt.Fprint(out, "\nDatabase versions:\n")
	for _, v := range c.Releases {
		fmt.Fprintf(out, "\t%s: [%s]\n", v.Version, strings.Join(v.Nodes, ", "))
	}
	fmt.Fprint(out, "\nKeyspaces:\n")
	for _, k := range c.Keyspaces {
		var options []string
		for _, name := range slices.Sorted(maps.Keys(k.Replication)) {
			options = append(options, name+"="+k.Replication[name])
		}
		fmt.Fprintf(out, "\t%s -> Replication class: %s {%s}\n", k.Name, k.Class, strings.Join(options, ", "))
	}
}

func orUnknown(text string) string {
	if text == "" {
		return "unknown"
	}
	return text
}

// printNetstats prints the mode and what is on its way, as nodetool netstats does, and the connections.
func printNetstats(out io.Writer, n *http.Netstats) {
	fmt.Fprintf(out, "Mode: %s\n", n.Mode)
	switch s := n.Streaming; {
	case s.Active:
		fmt.Fprintf(out, "Receiving %d parts. Already received %d (%s), %s total", s.Total, s.Done, share(s.Done, s.Total), size(s.Bytes))
		if s.Table != "" {
			fmt.Fprintf(out, "; now %s", s.Table)
		}
		fmt.Fprintln(out)
	default:
		fmt.Fprintln(out, "Not receiving any streams.")
	}
	if len(n.Connections) == 0 {
		fmt.Fprintln(out, "There are no connections to other nodes.")
		return
	}
	fmt.Fprintln(out)
	rows := [][]string{{"Node", "Messages", "State", "Pending", "Completed", "Failures", "Last error"}}
	for _, c := range n.Connections {
		kind, state := "small", "down"
		if c.Bulk {
			kind = "large"
		}
		if c.Connected {
			state = "up"
		}
		rows = append(rows, []string{c.Address, kind, state, strconv.Itoa(c.Unanswered), strconv.FormatUint(c.Requests, 10),
			strconv.FormatUint(c.Failures, 10), c.LastError})
	}
	table(out, rows)
}

func share(done, total int) string {
	if total == 0 {
		return "0.00%"
	}
	return fmt.Sprintf("%.2f%%", 100*float64(done)/float64(total))
}

// printHints prints as nodetool listpendinghints does.
func printHints(out io.Writer, hints []http.PendingHints) {
	if len(hints) == 0 {
		fmt.Fprintln(out, "This node does not have hints pending.")
		return
	}
	rows := [][]string{{"Host ID", "Address", "Total files", "Total size", "Damaged files", "Newest", "Oldest"}}
	for _, h := range hints {
		address := hostOf(h.Address)
		if address == "" {
			address = "?"
		}
		rows = append(rows, []string{h.Node, address, strconv.Itoa(h.Files), size(h.Bytes), strconv.Itoa(h.DamagedFiles),
			h.Newest.UTC().Format(time.DateTime), h.Oldest.UTC().Format(time.DateTime)})
	}
	table(out, rows)
}
