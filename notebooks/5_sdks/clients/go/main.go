// Six small tasks with OpenAI's Go SDK: `go run . ask 2024-12-17`. Address and key come from the environment.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"
)

var (
	client = openai.NewClient()
	ctx    = context.Background()

	// JSON as it stands: a Go map would send its keys in alphabetical order
	schema = json.RawMessage(`{
		"type": "object",
		"properties": {"date": {"type": "string"}, "weekday": {"type": "string"}},
		"required": ["date", "weekday"],
		"additionalProperties": false
	}`)
	tools = []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
		Name:        "days_between",
		Description: openai.String("Days from one date to another."),
		Strict:      openai.Bool(true),
		Parameters: shared.FunctionParameters{
			"type":                 "object",
			"properties":           json.RawMessage(`{"start": {"type": "string"}, "end": {"type": "string"}}`),
			"required":             []string{"start", "end"},
			"additionalProperties": false,
		},
	})}
)

func question(day string) openai.ChatCompletionMessageParamUnion {
	return openai.UserMessage(fmt.Sprintf("Which day of the week was %s?", day))
}

func ask(day string) error {
	answer, err := client.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{
		Model:           openai.ChatModelO1,
		ReasoningEffort: shared.ReasoningEffortLow,
		Messages: []openai.ChatCompletionMessageParamUnion{
			openai.DeveloperMessage("Answer with the date and its weekday."),
			question(day),
		},
		ResponseFormat: openai.ChatCompletionNewParamsResponseFormatUnion{
			OfJSONSchema: &shared.ResponseFormatJSONSchemaParam{
				JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{
					Name: "weekday", Strict: openai.Bool(true), Schema: schema,
				},
			},
		},
	})
	if err != nil {
		return err
	}
	var found struct{ Date, Weekday string }
	if err := json.Unmarshal([]byte(answer.Choices[0].Message.Content), &found); err != nil {
		return err
	}
	fmt.Printf("%s: %s\n", found.Date, found.Weekday)
	return nil
}

func stream(day string) error {
	chunks := client.Chat.Completions.NewStreaming(ctx, openai.ChatCompletionNewParams{
		Model:    openai.ChatModelGPT4o,
		Messages: []openai.ChatCompletionMessageParamUnion{question(day)},
	})
	for chunks.Next() {
		fmt.Print(chunks.Current().Choices[0].Delta.Content)
	}
	fmt.Println()
	return chunks.Err()
}

func daysBetween(arguments string) (int, error) {
	var given struct{ Start, End string }
	if err := json.Unmarshal([]byte(arguments), &given); err != nil {
		return 0, err
	}
	start, err := time.Parse(time.DateOnly, given.Start)
	if err != nil {
		return 0, err
	}
	end, err := time.Parse(time.DateOnly, given.End)
	return int(end.Sub(start).Hours() / 24), err
}

func tool(start, end string) error {
	params := openai.ChatCompletionNewParams{
		Model: openai.ChatModelO1,
		Messages: []openai.ChatCompletionMessageParamUnion{
			openai.UserMessage(fmt.Sprintf("How many days are there from %s to %s?", start, end)),
		},
		Tools: tools,
	}
	first, err := client.Chat.Completions.New(ctx, params)
	if err != nil {
		return err
	}
	asked := first.Choices[0].Message
	params.Messages = append(params.Messages, asked.ToParam())
	for _, call := range asked.ToolCalls {
		days, err := daysBetween(call.Function.Arguments)
		if err != nil {
			return err
		}
		params.Messages = append(params.Messages, openai.ToolMessage(strconv.Itoa(days), call.ID))
	}
	answer, err := client.Chat.Completions.New(ctx, params)
	if err != nil {
		return err
	}
	fmt.Println(answer.Choices[0].Message.Content)
	return nil
}

func busy(words string) error {
	answer, err := client.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{
		Model:    openai.ChatModelO1,
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(words)},
	})
	if err != nil {
		return err
	}
	fmt.Println(answer.Choices[0].Message.Content)
	return nil
}

func wrong(temperature string) error {
	degree, err := strconv.ParseFloat(temperature, 64)
	if err != nil {
		return err
	}
	_, err = client.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{
		Model:       openai.ChatModelO1,
		Messages:    []openai.ChatCompletionMessageParamUnion{question("2024-12-17")},
		Temperature: openai.Float(degree),
	})
	var refused *openai.Error
	if errors.As(err, &refused) {
		fmt.Printf("%T: %d %s, param %s\n", refused, refused.StatusCode, refused.Code, refused.Param)
		return nil
	}
	return err
}

func late(seconds string) error {
	patience, err := time.ParseDuration(seconds + "s")
	if err != nil {
		return err
	}
	_, err = client.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{
		Model:    openai.ChatModelO1,
		Messages: []openai.ChatCompletionMessageParamUnion{question("2024-12-17")},
	}, option.WithRequestTimeout(patience))
	if errors.Is(err, context.DeadlineExceeded) {
		fmt.Println("context.DeadlineExceeded")
		return nil
	}
	return err
}

func main() {
	words := os.Args[2:]
	var err error
	switch os.Args[1] {
	case "ask":
		err = ask(words[0])
	case "stream":
		err = stream(words[0])
	case "tool":
		err = tool(words[0], words[1])
	case "busy":
		err = busy(words[0])
	case "wrong":
		err = wrong(words[0])
	case "late":
		err = late(words[0])
	}
	if err != nil {
		log.Fatal(err)
	}
}
