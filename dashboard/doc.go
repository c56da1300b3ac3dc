// Package dashboard is the control plane: the HTTP API, authentication, orders to the fleet, live memory of the agents,
// metrics, and the operations behind API and pages.
//
// It declares the store and the scaler that it needs (Store, Scaler) and is given them; it never imports agent or
// engine code. Everything an agent or a browser sends is bounded in size and time. Its types are safe for concurrent
// use.
package dashboard
