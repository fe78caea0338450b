package workload

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/iliumdb/ilium/workload/bench"
	"github.com/iliumdb/ilium/workload/client"
	"github.com/iliumdb/ilium/workload/kv"
)

func kvCommand(start Start) *cobra.Command {
	c := &cobra.Command{Use: "kv", Short: "Rows by key and slices of partitions: load, then measure"}
	c.AddCommand(kvLoadCommand(start),
		kvMeasureCommand(start, "write", "Write rows by random key", func(t *kv.Tables, f *kvFlags) perWorker { return t.Write(f.choice) }),
		kvMeasureCommand(start, "read", "Read rows by random key, and check them", func(t *kv.Tables, f *kvFlags) perWorker { return t.Read(f.choice) }),
		kvMeasureCommand(start, "mixed", "Read and write rows by random key", func(t *kv.Tables, f *kvFlags) perWorker { return t.Mixed(f.choice) }),
		kvMeasureCommand(start, "slice", "Read the newest rows of random partitions, and check them", func(t *kv.Tables, f *kvFlags) perWorker { return t.Slice(f.choice) }))
	return c
}

// perWorker makes the operations of each worker.
type perWorker = func(worker int) bench.Operation

// kvFlags are those of the commands below kv.
type kvFlags struct {
	where        where
	shape        kv.Shape
	choice       kv.Choice
	distribution string

	bench     bench.Options
	serverPID int
	maxErrors int64
	output    string
}

func (f *kvFlags) add(c *cobra.Command) {
	f.where.add(c)
	flags := c.Flags()
	flags.Int64Var(&f.shape.Keys, "keys", 1_000_000, "rows of the table data")
	flags.IntVar(&f.shape.Columns, "columns", 3, "values of a row of the table data")
	flags.IntVar(&f.shape.ValueSize, "value-size", 100, "bytes of each value")
	flags.Int64Var(&f.shape.Partitions, "partitions", 2000, "partitions of the table wide")
	flags.Int64Var(&f.shape.Rows, "rows", 500, "rows of each partition of the table wide")
	flags.Uint64Var(&f.choice.Seed, "seed", 1, "of all that is random")
	flags.IntVar(&f.bench.Workers, "workers", 64, "operations at the same time")
	flags.Float64Var(&f.bench.Rate, "rate", 0, "operations a second, begun whether the server keeps up or not (default: as fast as the workers can)")
	flags.DurationVar(&f.bench.Interval, "interval", time.Second, "between two lines of progress; 0: none")
	flags.IntVar(&f.serverPID, "server-pid", 0, "process whose CPU time and memory are measured; Linux only")
	flags.Int64Var(&f.maxErrors, "max-errors", 0, "operations that may fail before the command does")
	flags.StringVar(&f.output, "output", "text", "form of the report: text, json or csv")
}

// run opens the tables, carries out operations and prints the report.
func (f *kvFlags) run(c *cobra.Command, start Start, name string, operations func(*kv.Tables) perWorker) error {
	if !slices.Contains(bench.Formats(), f.output) {
		return fmt.Errorf("--output must be one of %q, not %q", bench.Formats(), f.output)
	}
	if f.maxErrors < 0 {
		return errors.New("--max-errors must not be negative")
	}
	f.bench.Kind = kv.Kind
	if f.bench.Interval > 0 {
		f.bench.Progress = func(p bench.Progress) { printProgress(c.ErrOrStderr(), p) }
	}
	if f.serverPID != 0 {
		f.bench.Server = &bench.Process{PID: f.serverPID, Proc: os.DirFS("/proc")}
	}
	return f.where.with(c, start, func(database client.Database) error {
		f.shape.Replicas = f.where.replicas
		tables, err := kv.Open(c.Context(), database, f.shape)
		if err != nil {
			return err
		}
		result, err := bench.Run(c.Context(), f.bench, operations(tables))
		if err != nil {
			return err
		}
		if err := bench.NewReport("kv "+name, f.bench, result).Write(c.OutOrStdout(), f.output); err != nil {
			return err
		}
		if n := result.Errors(); n > f.maxErrors {
			return fmt.Errorf("%d operations failed, and --max-errors is %d", n, f.maxErrors)
		}
		return nil
	})
}

func printProgress(w io.Writer, p bench.Progress) {
	phase := ""
	if p.Warming {
		phase = ", warming up"
	}
	fmt.Fprintf(w, "%4.0f s  %7.0f/s  %d operations  %d errors%s\n", p.Elapsed.Seconds(), p.PerSecond, p.Operations, p.Errors, phase)
}

func kvLoadCommand(start Start) *cobra.Command {
	var f kvFlags
	var table string
	c := &cobra.Command{
		Use:   "load",
		Short: "Fill a table in order of its keys",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			f.shape.Limit = 1
			switch table {
			case "data":
				f.bench.Operations = f.shape.Keys
			case "wide":
				f.bench.Operations = f.shape.Partitions * f.shape.Rows
			default:
				return fmt.Errorf("--table must be data or wide, not %q", table)
			}
			return f.run(c, start, "load "+table, func(t *kv.Tables) perWorker {
				if table == "wide" {
					return t.LoadWide(f.choice.Seed)
				}
				return t.LoadData(f.choice.Seed)
			})
		},
	}
	f.add(c)
	c.Flags().StringVar(&table, "table", "data", "data, for write, read and mixed, or wide, for slice")
	return c
}

func kvMeasureCommand(start Start, name, short string, operations func(*kv.Tables, *kvFlags) perWorker) *cobra.Command {
	f := kvFlags{}
	f.shape.Limit = 1
	c := &cobra.Command{
		Use:   name,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if f.choice.Reads < 0 || f.choice.Reads > 100 {
				return fmt.Errorf("--reads must be a percentage, not %d", f.choice.Reads)
			}
			if c.Flags().Changed("operations") && !c.Flags().Changed("duration") {
				f.bench.Duration = 0 // the default is no bound beside one that was given
			}
			n := f.shape.Keys
			if name == "slice" {
				n = f.shape.Partitions
			}
			if f.choice.Keys, err = kv.NewKeys(f.distribution, n); err != nil {
				return err
			}
			return f.run(c, start, name, func(t *kv.Tables) perWorker { return operations(t, &f) })
		},
	}
	f.add(c)
	flags := c.Flags()
	flags.DurationVar(&f.bench.Duration, "duration", 30*time.Second, "how long to measure; 0: until --operations")
	flags.DurationVar(&f.bench.Warmup, "warmup", 5*time.Second, "how long to run before that")
	flags.Int64Var(&f.bench.Operations, "operations", 0, "how many operations to measure (default: no bound but --duration)")
	flags.StringVar(&f.distribution, "distribution", "uniform", "which keys are taken how often: uniform or zipfian")
	switch name {
	case "mixed":
		flags.IntVar(&f.choice.Reads, "reads", 50, "percent of operations that read")
	case "slice":
		flags.Int64Var(&f.shape.Limit, "limit", 100, "rows of a slice")
	}
	return c
}
