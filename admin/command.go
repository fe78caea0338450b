package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/iliumdb/ilium/wire/http"
)

// Commands returns the commands of operators.
func Commands() []*cobra.Command {
	all := false
	info := question("info", "Print what a node knows of itself", "info", func(out io.Writer, i *http.Info) { printInfo(out, i, all) })
	info.Flags().BoolVarP(&all, "tokens", "T", false, "print all tokens")
	return []*cobra.Command{
		question("status [KEYSPACE]", "Print the nodes of a cluster, their state and what they own", "status", printStatus, "keyspace"),
		question("ring [KEYSPACE]", "Print the tokens of a cluster in order", "ring", printRing, "keyspace"),
		info,
		question("gossipinfo", "Print what nodes say of themselves", "gossipinfo", printGossip),
		question("describecluster", "Print the name, the versions and the keyspaces of a cluster", "describecluster", printCluster),
		question("netstats", "Print a node's connections to others, and data on its way to it", "netstats", printNetstats),
		question("listpendinghints", "Print for which nodes a node keeps writes that they have missed", "hints", printHints),
		decommissionCommand(),
		(&action{
			use: "removenode HOST_ID", endpoint: "removenode", parameters: []string{"id"}, required: 1,
			short: "Take a dead node out of the cluster",
			long: "Take a node out of the cluster that is down and does not come back. The replicas that are left give its data to those that\n" +
				"take its place. To put a new node in its place, start that with the setting replace_node instead.",
			interrupted: "the node stays LEAVING; the same command goes on there",
		}).command(),
		(&action{
			use: "abortbootstrap HOST_ID", endpoint: "abort", parameters: []string{"id"}, required: 1,
			short: "Give up the join of a node",
			long:  "Take a node out of the cluster that is JOINING. Stop it first, and remove its data directory before it is started again.",
		}).command(),
		(&action{
			use: "cleanup [KEYSPACE]", endpoint: "cleanup", parameters: []string{"keyspace"},
			short: "Remove data that a node is no replica of anymore",
			long:  "Remove data of ranges that went to other nodes, of one keyspace or of all. Run it on every node after others have joined.",
		}).command(),
		(&action{
			use: "truncatehints [HOST_ID]", endpoint: "truncatehints", parameters: []string{"id"},
			short: "Throw away what a node keeps for others that have missed writes",
			long:  "Throw hints away, those for one node or all. What they hold is on other replicas, unless it was written with the level ANY.",
		}).command(),
		(&action{
			use: "compact [KEYSPACE [TABLE]]", endpoint: "compact", parameters: []string{"keyspace", "table"},
			short: "Bring data into its compact form now",
			long:  "Bring tables into their compact form, which goes on in the background anyway.",
		}).command(),
	}
}

func decommissionCommand() *cobra.Command {
	return (&action{
		use: "decommission", endpoint: "decommission",
		short: "Make a node give its data to others and leave the cluster",
		long: "Make the node that is asked leave the cluster. Others take its data over first, and what they have is printed. If the command\n" +
			"is interrupted, the node stays LEAVING, and the same command goes on. In the end the node still runs: stop it.",
		force:       "leave although fewer nodes are left than a keyspace has replicas",
		done:        "The node has left the cluster and can be stopped.",
		interrupted: "the node stays LEAVING; the same command goes on there",
	}).command()
}

// parametersOf gives names to arguments.
func parametersOf(names, args []string) url.Values {
	out := url.Values{}
	for i, arg := range args {
		out.Set(names[i], arg)
	}
	return out
}

// question returns a command that prints the answer to a question.
func question[T any](use, short, endpoint string, show func(io.Writer, T), parameters ...string) *cobra.Command {
	f := &flags{}
	c := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.MaximumNArgs(len(parameters)),
		RunE: func(c *cobra.Command, args []string) error {
			node, err := f.client()
			if err != nil {
				return err
			}
			body, err := node.ask(c.Context(), endpoint, parametersOf(parameters, args))
			if err != nil {
				return err
			}
			var answer T
			if err := json.Unmarshal(body, &answer); err != nil {
				return fmt.Errorf("the answer of %s cannot be read: %w", node.base.Host, err)
			}
			var out bytes.Buffer
			if !f.json {
				show(&out, answer)
			} else if err := json.Indent(&out, body, "", "  "); err != nil {
				return err
			}
			_, err = c.OutOrStdout().Write(out.Bytes())
			return err
		},
	}
	f.add(c)
	return c
}

// An action is a command that has something done.
type action struct {
	use, short, long string
	endpoint         string
	parameters       []string
	required         int // of them
	done             string
	force            string // what --force does; empty if there is no such flag
	interrupted      string // what is so if the command is interrupted; empty if there is nothing to say
}

func (a *action) command() *cobra.Command {
	f, force := &flags{}, false
	c := &cobra.Command{
		Use:   a.use,
		Short: a.short,
		Long:  a.long,
		Args:  cobra.RangeArgs(a.required, len(a.parameters)),
		RunE: func(c *cobra.Command, args []string) error {
			node, err := f.client()
			if err != nil {
				return err
			}
			parameters := parametersOf(a.parameters, args)
			if force {
				parameters.Set("force", "true")
			}
			return a.run(c.Context(), node, parameters, f.json, c.OutOrStdout())
		},
	}
	if a.force != "" {
		c.Flags().BoolVar(&force, "force", false, a.force)
	}
	f.add(c)
	return c
}

func (a *action) run(ctx context.Context, node *client, parameters url.Values, raw bool, out io.Writer) error {
	err := node.act(ctx, a.endpoint, parameters, func(line http.Line, text []byte) error {
		switch {
		case raw:
			_, err := fmt.Fprintf(out, "%s\n", text)
			return err
		case line.Progress != "":
			_, err := fmt.Fprintln(out, line.Progress)
			return err
		case line.Done && a.done != "":
			_, err := fmt.Fprintln(out, a.done)
			return err
		}
		return nil
	})
	if ctx.Err() == nil || err == nil {
		return err
	}
	if a.interrupted == "" {
		return errors.New("interrupted")
	}
	return errors.New("interrupted: " + a.interrupted)
}
