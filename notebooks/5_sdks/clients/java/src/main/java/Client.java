// Six small tasks with OpenAI's Java SDK: `java -cp "target/classes:target/dependency/*" Client ask 2024-12-17`.
// Address and key come from the environment.
import com.fasterxml.jackson.databind.ObjectMapper;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.RequestOptions;
import com.openai.errors.OpenAIIoException;
import com.openai.errors.OpenAIServiceException;
import com.openai.models.ChatModel;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.ReasoningEffort;
import com.openai.models.ResponseFormatJsonSchema;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionMessage;
import com.openai.models.chat.completions.ChatCompletionToolMessageParam;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.time.LocalDate;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

class Client {
    static final OpenAIClient client = OpenAIOkHttpClient.fromEnv();
    static final ObjectMapper json = new ObjectMapper();

    // LinkedHashMap keeps the order in which the properties are to be written; Map.of has none
    static Map<String, Object> strings(String... names) {
        var properties = new LinkedHashMap<String, Object>();
        for (var name : names) properties.put(name, Map.of("type", "string"));
        return properties;
    }

    static final ResponseFormatJsonSchema.JsonSchema.Schema schema = ResponseFormatJsonSchema.JsonSchema.Schema.builder()
            .putAdditionalProperty("type", JsonValue.from("object"))
            .putAdditionalProperty("properties", JsonValue.from(strings("date", "weekday")))
            .putAdditionalProperty("required", JsonValue.from(List.of("date", "weekday")))
            .putAdditionalProperty("additionalProperties", JsonValue.from(false))
            .build();
    static final FunctionDefinition daysBetweenTool = FunctionDefinition.builder()
            .name("days_between")
            .description("Days from one date to another.")
            .strict(true)
            .parameters(FunctionParameters.builder()
                    .putAdditionalProperty("type", JsonValue.from("object"))
                    .putAdditionalProperty("properties", JsonValue.from(strings("start", "end")))
                    .putAdditionalProperty("required", JsonValue.from(List.of("start", "end")))
                    .putAdditionalProperty("additionalProperties", JsonValue.from(false))
                    .build())
            .build();

    static String question(String day) {
        return "Which day of the week was " + day + "?";
    }

    static void ask(String day) throws Exception {
        var params = ChatCompletionCreateParams.builder()
                .model(ChatModel.O1)
                .reasoningEffort(ReasoningEffort.LOW)
                .addDeveloperMessage("Answer with the date and its weekday.")
                .addUserMessage(question(day))
                .responseFormat(ResponseFormatJsonSchema.builder()
                        .jsonSchema(ResponseFormatJsonSchema.JsonSchema.builder()
                                .name("weekday").strict(true).schema(schema).build())
                        .build())
                .build();
        var answer = client.chat().completions().create(params);
        var found = json.readTree(answer.choices().get(0).message().content().orElseThrow());
        System.out.println(found.get("date").asText() + ": " + found.get("weekday").asText());
    }

    static void stream(String day) {
        var params = ChatCompletionCreateParams.builder().model(ChatModel.GPT_4O).addUserMessage(question(day)).build();
        try (var chunks = client.chat().completions().createStreaming(params)) {
            chunks.stream()
                    .flatMap(chunk -> chunk.choices().stream())
                    .flatMap(choice -> choice.delta().content().stream())
                    .forEach(System.out::print);
        }
        System.out.println();
    }

    static long daysBetween(String arguments) throws Exception {
        var given = json.readTree(arguments);
        return ChronoUnit.DAYS.between(LocalDate.parse(given.get("start").asText()), LocalDate.parse(given.get("end").asText()));
    }

    static void tool(String start, String end) throws Exception {
        var params = ChatCompletionCreateParams.builder()
                .model(ChatModel.O1)
                .addUserMessage("How many days are there from " + start + " to " + end + "?")
                .addFunctionTool(daysBetweenTool);
        ChatCompletionMessage asked = client.chat().completions().create(params.build()).choices().get(0).message();
        params.addMessage(asked);
        for (var call : asked.toolCalls().orElseThrow()) {
            var days = daysBetween(call.asFunction().function().arguments());
            params.addMessage(ChatCompletionToolMessageParam.builder()
                    .toolCallId(call.asFunction().id())
                    .content(String.valueOf(days))
                    .build());
        }
        var answer = client.chat().completions().create(params.build());
        System.out.println(answer.choices().get(0).message().content().orElseThrow());
    }

    static void busy(String words) {
        var params = ChatCompletionCreateParams.builder().model(ChatModel.O1).addUserMessage(words).build();
        System.out.println(client.chat().completions().create(params).choices().get(0).message().content().orElseThrow());
    }

    static void wrong(String temperature) {
        var params = ChatCompletionCreateParams.builder()
                .model(ChatModel.O1)
                .addUserMessage(question("2024-12-17"))
                .temperature(Double.parseDouble(temperature))
                .build();
        try {
            client.chat().completions().create(params);
        } catch (OpenAIServiceException e) {
            System.out.println(e.getClass().getSimpleName() + ": " + e.statusCode() + " " + e.code().orElse("null") + ", param " + e.param().orElse("null"));
        }
    }

    static void late(String seconds) {
        var params = ChatCompletionCreateParams.builder().model(ChatModel.O1).addUserMessage(question("2024-12-17")).build();
        var patience = Duration.ofMillis(Math.round(1000 * Double.parseDouble(seconds)));
        try {
            client.chat().completions().create(params, RequestOptions.builder().timeout(patience).build());
        } catch (OpenAIIoException e) {
            // the patience for the call ends it, or that for one read (SocketTimeoutException), whichever is first
            var cause = e.getCause() instanceof InterruptedIOException ? InterruptedIOException.class : e.getCause().getClass();
            System.out.println(e.getClass().getSimpleName() + ": " + cause.getSimpleName());
        }
    }

    public static void main(String[] words) throws Exception {
        switch (words[0]) {
            case "ask": ask(words[1]); break;
            case "stream": stream(words[1]); break;
            case "tool": tool(words[1], words[2]); break;
            case "busy": busy(words[1]); break;
            case "wrong": wrong(words[1]); break;
            case "late": late(words[1]); break;
        }
    }
}
