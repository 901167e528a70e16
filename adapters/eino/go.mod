module github.com/skylite-go/skylite/adapters/eino

go 1.26.0

require (
	github.com/bytedance/sonic v1.15.5
	github.com/cloudwego/eino v0.7.36
	github.com/skylite-go/skylite v0.0.0
)

replace github.com/skylite-go/skylite => ../..
