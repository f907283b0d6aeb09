package llm

import (
	"context"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"livelab/runtime/explain"
)

// client asks a language model that is behind an OpenAI-compatible server.
type client struct {
	completions openai.ChatCompletionService
	model       string
	maxTokens   int64
	own         bool // whether the server is OpenAI's own
}

// newClient makes it with what cfg says and nothing else: the environment
// is read by the program, in one place.
func newClient(cfg Config) *client {
	base := strings.TrimSuffix(cfg.BaseURL, "/") + "/"
	return &client{
		completions: openai.NewChatCompletionService(
			option.WithBaseURL(base),
			option.WithAPIKey(cfg.APIKey),
			option.WithHTTPClient(&http.Client{
				Transport:     limited{cfg.Transport},
				CheckRedirect: func(*http.Request, []*http.Request) error { return errRedirected },
			}),
			option.WithMaxRetries(1),
			option.WithMaxRetryDelay(time.Second), // a server that wants more is not asked again
		),
		model:     cfg.Model,
		maxTokens: int64(cfg.MaxTokens),
		own:       base == openAI,
	}
}

// newTransport is net/http's own with less patience for odd servers.
func newTransport() http.RoundTripper {
	t, ok := http.DefaultTransport.(*http.Transport)
	if !ok { // somebody has replaced it and will know why
		return http.DefaultTransport
	}
	t = t.Clone()
	t.MaxResponseHeaderBytes = 64 << 10
	return t
}

// spent is how many tokens a call took.
type spent struct{ prompt, completion int64 }

// ask has the model write. The outcome is ok exactly where the error is nil.
func (m *client) ask(ctx context.Context, l explain.Language, f *explain.Facts) (words string, tokens spent, out outcome, err error) {
	facts, err := told(l, f)
	if err != nil {
		return "", spent{}, badAnswer, err
	}
	var response *http.Response
	c, err := m.completions.New(ctx, m.request(instructions(l), facts), option.WithResponseInto(&response))
	if err != nil {
		return "", spent{}, outcomeOf(ctx, response, err), err
	}
	if c == nil { // the server sent null
		return "", spent{}, badAnswer, unusable("the answer is empty")
	}
	tokens = spent{max(c.Usage.PromptTokens, 0), max(c.Usage.CompletionTokens, 0)}
	words, out, err = answerOf(c)
	return words, tokens, out, err
}

// request asks in the way that the server knows: OpenAI has renamed the limit,
// and others keep the old name. Only OpenAI can be told not to keep what it is
// sent.
func (m *client) request(instructions, facts string) openai.ChatCompletionNewParams {
	r := openai.ChatCompletionNewParams{
		Model:    m.model,
		Messages: []openai.ChatCompletionMessageParamUnion{openai.SystemMessage(instructions), openai.UserMessage(facts)},
	}
	if m.own {
		r.MaxCompletionTokens = openai.Int(m.maxTokens)
		r.Store = openai.Bool(false)
	} else {
		r.MaxTokens = openai.Int(m.maxTokens)
	}
	return r
}

// mostCharacters bounds an explanation, whatever a server takes for a token.
const mostCharacters = 2000

// answerOf checks what came. Whether the words are true nobody can check here:
// the answer's numbers are what counts.
func answerOf(c *openai.ChatCompletion) (string, outcome, error) {
	if len(c.Choices) == 0 {
		return "", badAnswer, unusable("the answer has no choices")
	}
	choice := c.Choices[0]
	words := explain.OneLine(choice.Message.Content)
	switch {
	case choice.Message.Refusal != "", choice.FinishReason == "content_filter":
		return "", refused, unusable("the model refused")
	case choice.FinishReason == "length":
		return "", badAnswer, unusable("the answer was cut off at the limit of tokens; see --openai-max-tokens")
	case words == "":
		return "", badAnswer, unusable("the answer has no text")
	case utf8.RuneCountInString(words) > mostCharacters:
		return "", badAnswer, unusable("the answer is too long to be shown")
	}
	return words, ok, nil
}
