// Package process tests Ilium from outside: as a program that is killed, runs out of disk space, finds its files
// damaged, and is given bad input.
//
//	go test ./tests/process
//
// TestMain builds the ilium binary once. Most tests run it as a user would, and look at its output, exit status and
// files. Others need to know exactly which writes were acknowledged: for them the test binary starts itself again in
// one of the roles of role_test.go, as a program that embeds a node.
//
// Random tests print their seed. To repeat one, give it:
//
//	PROCESS_SEED=1234 go test ./tests/process -run TestAcknowledgedWritesSurviveKill -v
//
// More kills, power failures and damage than the few that fit into an ordinary run:
//
//	PROCESS_ROUNDS=20 go test ./tests/process -run 'Damaged|Survive' -timeout 1h
//
// Every kind of judge is itself tested with errors that were planted (TestLedgerFindsPlantedErrors, TestClusterLedgerFindsPlantedErrors,
// TestDatasetFindsPlantedErrors).
//
// # Full disks
//
// TestFullDisk mounts a small tmpfs, for which it has to be root; otherwise it is skipped.
//
// # Clusters
//
// TestCluster runs three processes at loopback addresses of their own, on Linux, kills each once and adds a fourth, while
// clients write and read at QUORUM. What was acknowledged must be found at QUORUM all the time, and at each replica alone
// when hints have been delivered. It prints how clients fared during each event: errors by kind, latencies, and the
// longest time in which nothing succeeded. Longer ones, with five nodes, cold starts, nodes that leave, are
// replaced or removed, and a table of how long it takes to notice a kill, run when asked for:
//
//	PROCESS_CLUSTER=1 go test ./tests/process -run TestCluster -v -timeout 1h
//
// PROCESS_CLUSTER_NETWORK=1 adds those with broken networks: packets that are lost, or arrive in one direction only. They make network
// namespaces, for which they have to be root, and need the programs ip and nft. make cluster runs all of these.
//
// # Power loss
//
// TestPowerLoss shuts an ext4 file system down under a running node, without writing its journal or any cached page:
// what a power failure leaves on a disk that honors flushes. It needs Linux, root, loop devices and mkfs.ext4, takes
// about half a minute, and runs only when asked for:
//
//	PROCESS_POWER_LOSS=1 go test ./tests/process -run TestPowerLoss -v
package process
