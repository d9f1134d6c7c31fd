// Command empty is the floor: what any program in Go costs.
package main

func main() {}
