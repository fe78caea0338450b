// Package config reads the settings of a node and explains every mistake in them.
//
// # Sources
//
// A setting has one name, used everywhere. Its value comes from the last of these that gives one:
//
//  1. the built-in default,
//  2. a YAML file: Sources.File, or [DefaultFile] in the working directory if there is one,
//  3. an environment variable: ILIUM_ and the name in upper case, such as ILIUM_MEMORY,
//  4. a key=value pair from the command line (--set).
//
// [Load] returns the typed [Config] together with where each value came from. [Loaded.Write] prints
// that as YAML, so that its output can be used as a file and gives the same Config again, but for secrets. A program
// that embeds a node starts from [Default], changes fields and lets [Config.Validate] check them.
//
// # Strictness
//
// Nothing is ignored: an unknown name, a second value for one key, a value of the wrong type or out
// of range, a setting that the rest of the configuration leaves without effect, and a setting that
// this version does not support yet are all errors. A value is checked even when a later source
// replaces it. Load reports every mistake it can find in one error, each as a [Problem] that names
// the source, the line and the setting.
//
// # Secrets
//
// A password is a [Secret]: listings, messages and logs show stars. It cannot come from --set, which every user of the machine
// can read in the list of processes, nor from a file that others can read.
//
// # How it works
//
// One table (table.go, and table_cluster.go for the settings of clusters) holds for each setting its name, type, default, limits and description.
// Reading, messages, the listing and docs/CONFIGURATION.md are all made from it, so a new setting is
// a field of Config and one entry there. viper holds the sources in their order and reads the file
// through strictYAML, a decoder that keeps line numbers and refuses what YAML would let pass.
// Values reach viper as text, so that a file, the environment and the command line are read by the
// same parsers.
//
// Names and the form of values (10s, 16MiB, 64MiB/s) follow cassandra.yaml of Cassandra 5.0.
//
// docs/CONFIGURATION.md is written by: go generate ./config
package config

//go:generate go test . -run TestReferenceIsCurrent -update
