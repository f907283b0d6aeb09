package model

// Leaf is the input of a node that has no children.
const Leaf = -1

// Trees is a sum of decision trees: what the model adds to the intercept where
// its family is trees.
type Trees struct {
	// Edges are the values that nodes compare with: of each input of the
	// model, ascending and finite.
	Edges [][]float64 `json:"edges"`
	Trees []Tree      `json:"trees"`
}

// Tree has a value in each column for each of its nodes. Node 0 is the root,
// and children come after their parents.
type Tree struct {
	// Input that the node looks at, or Leaf. A value x of it goes left where
	// x <= Edges[Input][Edge], else right; a missing one goes left where
	// MissingLeft is 1.
	Input       []int `json:"input"`
	Edge        []int `json:"edge"`
	MissingLeft []int `json:"missing_left"`
	Left        []int `json:"left"`
	Right       []int `json:"right"`

	// Value is what a leaf adds to the log odds, 0 for the other nodes.
	Value []float64 `json:"value"`

	// Rows of the training that came by.
	Rows []int `json:"rows"`
}
