<?php
$answer = $client->chat()->create(['model' => 'o1-preview', 'max_tokens' => 500]); // names: o1-preview, max_tokens
