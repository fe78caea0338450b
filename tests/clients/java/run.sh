#!/usr/bin/env bash
# Runs the tests of the Java driver.
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
need java javac mvn
cd "$suite"
mvn --quiet --batch-mode dependency:build-classpath -Dmdep.outputFile="$downloads/classpath"
classes=$downloads:$(cat "$downloads/classpath")
javac -d "$downloads" -cp "$classes" ./*.java
java -cp "$classes" Suite
java -cp "$classes" ClusterSuite
