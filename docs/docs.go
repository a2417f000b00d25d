// Package docs holds the project's documents; its tests keep them true.
package docs
