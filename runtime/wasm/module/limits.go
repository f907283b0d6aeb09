package module

// Limits bound what Parse accepts.
type Limits struct {
	FileSize        int
	NameSize        int
	CustomSections  int
	Types           int
	Params          int
	Results         int
	Imports         int
	Functions       int
	Tables          int
	TableElements   int
	MemoryPages     int
	Globals         int
	Exports         int
	ElementSegments int
	Elements        int
	DataSegments    int
	BodySize        int
	Locals          int
	Depth           int
	Stack           int
	Targets         int
}

// DefaultLimits are.
func DefaultLimits() Limits {
	return Limits{
		FileSize:        8 << 20,
		NameSize:        1024,
		CustomSections:  64,
		Types:           1024,
		Params:          64,
		Results:         16,
		Imports:         64,
		Functions:       16384,
		Tables:          4,
		TableElements:   65536,
		MemoryPages:     256,
		Globals:         1024,
		Exports:         1024,
		ElementSegments: 1024,
		Elements:        65536,
		DataSegments:    1 << 17,
		BodySize:        1 << 20,
		Locals:          4096,
		Depth:           1024,
		Stack:           1024,
		Targets:         4096,
	}
}
