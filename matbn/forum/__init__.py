"""The forum question: its data and figures reproduced, and every claimed formula judged."""
